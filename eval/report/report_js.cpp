// Script of the page: switches views and layers, tooltips, keys, state in the hash. The page is
// complete without it.

#include "eval/report/page.h"

namespace switchyard {

std::string report_js() {
  return R"js(
(() => {
const all = (q, r = document) => [...r.querySelectorAll(q)], one = q => document.querySelector(q);
const root = document.documentElement, slider = one('#layer'), tip = one('#tip');
const state = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const dark = () => root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme:dark)').matches;
function save() { history.replaceState(null, '', '#' + new URLSearchParams(state)); }
function setTheme(t) { root.dataset.theme = state.theme = t; document.dispatchEvent(new Event('repaint')); }
function setLayer(l) {
  if (!slider) return;
  slider.value = l; state.layer = slider.value;
  one('#layer-name').textContent = 'layer ' + slider.value;
  for (const card of all('.card')) {
    const frames = all('.view[data-layer]', card);
    for (const f of frames) f.hidden = f.dataset.layer !== slider.value;
  }
  for (const f of all('.rowmark')) f.classList.toggle('off', !f.classList.contains('row' + slider.value));
  document.dispatchEvent(new Event('repaint'));
}
function setView(card, id) {
  const views = all('.view', card);
  if (!views.some(v => v.dataset.view === id)) return;
  for (const v of views) v.hidden = v.dataset.view !== id;
  for (const b of all('[data-show]', card)) b.setAttribute('aria-pressed', b.dataset.show === id);
}
document.addEventListener('click', e => {
  const b = e.target.closest('[data-show]');
  if (b) { setView(b.closest('.card'), b.dataset.show); state.view = b.dataset.show; save(); }
  const c = e.target.closest('[data-copy]');
  if (c) navigator.clipboard && navigator.clipboard.writeText(one(c.dataset.copy).textContent);
});
one('#theme').addEventListener('click', () => { setTheme(dark() ? 'light' : 'dark'); save(); });
if (slider) slider.addEventListener('input', () => { setLayer(slider.value); save(); });
document.addEventListener('keydown', e => {
  if (e.ctrlKey || e.metaKey || e.altKey || /INPUT|TEXTAREA/.test(e.target.tagName)) return;
  if (e.key === 't') setTheme(dark() ? 'light' : 'dark');
  else if (slider && (e.key === '[' || e.key === ']')) setLayer(+slider.value + (e.key === ']' ? 1 : -1));
  else if (e.key === 'd') {
    const card = one('#share'), buttons = card ? all('[data-show]', card) : [];
    const at = buttons.findIndex(b => b.getAttribute('aria-pressed') === 'true');
    if (buttons.length) setView(card, state.view = buttons[(at + 1) % buttons.length].dataset.show);
  } else return;
  save();
});
document.addEventListener('pointermove', e => {
  const t = e.target.closest && e.target.closest('[data-tip]');
  tip.hidden = !t;
  if (!t) return;
  tip.textContent = t.dataset.tip;
  tip.style.left = Math.min(e.clientX + 12, innerWidth - tip.offsetWidth - 8) + 'px';
  tip.style.top = Math.min(e.clientY + 14, innerHeight - tip.offsetHeight - 8) + 'px';
});
for (const svg of all('.plot svg')) {
  const cells = all('[data-tip]', svg);
  if (!cells.length) continue;
  svg.tabIndex = 0;
  let at = -1;
  svg.addEventListener('keydown', e => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    at = (at + step + cells.length) % cells.length;
    const box = cells[at].getBoundingClientRect();
    tip.hidden = false; tip.textContent = cells[at].dataset.tip;
    tip.style.left = box.right + 6 + 'px'; tip.style.top = box.bottom + 6 + 'px';
  });
  svg.addEventListener('blur', () => { tip.hidden = true; });
}
addEventListener('beforeprint', () => all('details').forEach(d => { d.open = true; }));
if (state.theme) setTheme(state.theme);
if (slider) setLayer(state.layer ?? slider.value);
if (state.view) all('.card').forEach(c => setView(c, state.view));
if (state.only) {
  all('.card').forEach(c => { c.hidden = c.dataset.slug !== state.only; });
  all('h2.section,.answers,.title').forEach(h => { h.hidden = true; });
}
})();
)js";
}

}  // namespace switchyard
