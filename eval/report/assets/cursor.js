// Values under the pointer, and a cursor that the arrow keys move from mark to mark of a figure.
const tip = one('#tip');
let cursor = null;

function showTip(text, x, y) {
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  tip.style.left = Math.max(4, Math.min(x, innerWidth - tip.offsetWidth - 8)) + 'px';
  tip.style.top = Math.max(4, Math.min(y, innerHeight - tip.offsetHeight - 8)) + 'px';
}

document.addEventListener('pointermove', event => {
  const mark = event.target.closest?.('[data-tip]');
  showTip(mark?.dataset.tip, event.clientX + 12, event.clientY + 14);
});

function centre(mark) {
  const box = mark.getBoundingClientRect();
  return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
}

/** Nearest mark in the direction of an arrow key; stepping aside counts three times. */
function neighbour(marks, from, key) {
  const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
  const [x, y] = centre(from);
  let best = from, least = Infinity;
  for (const mark of marks) {
    const [mx, my] = centre(mark), along = (mx - x) * dx + (my - y) * dy;
    const cost = along + 3 * (Math.abs((mx - x) * dy) + Math.abs((my - y) * dx));
    if (along > 0.5 && cost < least) [best, least] = [mark, cost];
  }
  return best;
}

function setCursor(mark) {
  cursor?.classList.remove('cursor');
  cursor = mark;
  if (!mark) return showTip('');
  mark.classList.add('cursor');
  const box = mark.getBoundingClientRect();
  showTip(mark.dataset.tip, box.right + 6, box.bottom + 6);
  say(mark.dataset.tip);
}

function moveCursor(event) {
  const svg = event.currentTarget, marks = all('[data-tip]', svg);
  if (event.key === 'Enter' && cursor?.dataset.expert) { toggleExpert(cursor.dataset.expert); save(); }
  if (!/^Arrow/.test(event.key)) return;
  event.preventDefault();
  setCursor(svg.contains(cursor) ? neighbour(marks, cursor, event.key) : marks[0]);
}

for (const svg of all('.plot svg')) {
  if (!one('[data-tip]', svg)) continue;
  svg.tabIndex = 0;
  svg.addEventListener('keydown', moveCursor);
  svg.addEventListener('blur', () => setCursor(null));
}
