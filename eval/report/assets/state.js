// Shared by the scripts that follow: look-ups, the state in the hash, theme, layer and view.
const all = (query, root = document) => [...root.querySelectorAll(query)];
const one = (query, root = document) => root.querySelector(query);
const page = document.documentElement, slider = one('#layer');
const facts = JSON.parse(one('#facts').textContent); // layer, domains [name], tracks [layer][track] = expert
const known = ['layer', 'view', 'theme', 'expert', 'hide', 'only'];
const state = Object.fromEntries([...new URLSearchParams(location.hash.slice(1))].filter(([key]) => known.includes(key)));

function save() {
  const used = Object.entries(state).filter(([, value]) => value);
  history.replaceState(null, '', '#' + new URLSearchParams(used));
}

function repaint() { document.dispatchEvent(new Event('repaint')); }

function say(text) { one('#status').textContent = text; }

const layer = () => slider ? +slider.value : facts.layer;

function isDark() {
  return page.dataset.theme ? page.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme:dark)').matches;
}

function setTheme(theme) {
  page.dataset.theme = state.theme = theme;
  repaint();
}

/** Of some layers the nearest: a large page keeps only some of them. */
function nearest(layers, value) {
  return layers.reduce((a, b) => Math.abs(b - value) < Math.abs(a - value) ? b : a);
}

function showFrame(card) {
  const frames = all('.view[data-layer]', card);
  if (!frames.length) return;
  const shown = nearest(frames.map(frame => +frame.dataset.layer), layer());
  for (const frame of frames) frame.hidden = +frame.dataset.layer !== shown;
}

function setLayer(value) {
  if (!slider) return;
  slider.value = value;
  state.layer = slider.value;
  one('#layer-name').textContent = 'layer ' + slider.value;
  for (const card of all('.card')) showFrame(card);
  for (const mark of all('.rowmark')) mark.classList.toggle('off', !mark.classList.contains('row' + slider.value));
  repaint();
}

function setView(card, id) {
  const views = all('.view', card);
  if (!views.some(view => view.dataset.view === id)) return;
  for (const view of views) view.hidden = view.dataset.view !== id;
  for (const button of all('[data-show]', card)) button.setAttribute('aria-pressed', button.dataset.show === id);
}

function nextView(card) {
  const buttons = card ? all('[data-show]', card) : [];
  const at = buttons.findIndex(button => button.getAttribute('aria-pressed') === 'true');
  if (buttons.length) setView(card, state.view = buttons[(at + 1) % buttons.length].dataset.show);
}
