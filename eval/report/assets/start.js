// Buttons and keys, then the state that the hash asks for.
const keysDialog = one('#keys');

document.addEventListener('click', event => {
  const hit = query => event.target.closest(query);
  const button = hit('[data-show]'), copy = hit('[data-copy]'), mark = hit('[data-expert]'), png = hit('[data-png]');
  if (button) setView(button.closest('.card'), state.view = button.dataset.show);
  if (copy) navigator.clipboard?.writeText(one(copy.dataset.copy).textContent);
  if (png) savePicture(png.closest('.card'));
  if (mark) toggleExpert(mark.dataset.expert);
  if (button || mark) save();
});
one('#theme').addEventListener('click', () => { setTheme(isDark() ? 'light' : 'dark'); save(); });
one('#help').addEventListener('click', () => keysDialog.showModal());
slider?.addEventListener('input', () => { changeLayer(slider.value); save(); });
for (const box of all('[data-toggle-domain]'))
  box.addEventListener('change', () => { toggleDomain(+box.dataset.toggleDomain); save(); });

function clear() {
  hiddenDomains.clear();
  showDomains();
  isolate('');
  setCursor(null);
  say('');
}

const keys = {
  '?': () => keysDialog.showModal(),
  '[': () => changeLayer(layer() - 1),
  ']': () => changeLayer(layer() + 1),
  d: () => nextView(one('#share')),
  t: () => setTheme(isDark() ? 'light' : 'dark'),
  Escape: clear,
};

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || keysDialog.open) return;
  if (/INPUT|TEXTAREA|SELECT/.test(event.target.tagName) && event.key !== 'Escape') return;
  if (/^[1-9]$/.test(event.key)) toggleDomain(event.key - 1);
  else if (Object.hasOwn(keys, event.key)) keys[event.key]();
  else return;
  save();
});
addEventListener('beforeprint', () => { for (const details of all('details')) details.open = true; });

function showOnly(slug) {
  for (const card of all('.card')) card.hidden = card.dataset.slug !== slug;
  for (const head of all('h2.section,.answers,.title,.notes')) head.hidden = true;
}

const wanted = { ...state };
if (wanted.theme) setTheme(wanted.theme);
setLayer(wanted.layer ?? layer());
if (wanted.view) for (const card of all('.card')) setView(card, wanted.view);
for (const key of (wanted.hide ?? '').split('.')) if (key) toggleDomain(key - 1);
if (trackOf(wanted.expert) >= 0) toggleExpert(wanted.expert);
if (wanted.only) showOnly(wanted.only);
