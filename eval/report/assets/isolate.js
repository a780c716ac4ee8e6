// One expert in colour, the others grey; domains out of the small multiples.
const isolated = { address: '', track: -1 };
const hiddenDomains = new Set();

function trackOf(address) {
  const [, inLayer, expert] = /^L(\d+)\.E(\d+)$/.exec(address ?? '') ?? [];
  return (facts.tracks[inLayer] ?? []).indexOf(+expert);
}

/** An address such as L11.E3; anything else shows all experts again. */
function isolate(address) {
  isolated.track = trackOf(address);
  isolated.address = isolated.track < 0 ? '' : address;
  state.expert = isolated.address;
  page.classList.toggle('isolating', !!isolated.address);
  for (const mark of all('[data-expert]'))
    mark.classList.toggle('isolated', mark.dataset.expert === isolated.address);
  for (const marks of all('.splat,.patch'))
    marks.classList.toggle('muted', !!isolated.address && !['k', 'e'].some(kind => marks.classList.contains(kind + isolated.track)));
  say(isolated.address ? `Only ${isolated.address} in colour. Esc shows all.` : '');
  repaint();
}

/** The layer of the address comes into view, so that points, patches and matrices show that expert. */
function toggleExpert(address) {
  if (address === isolated.address) return isolate('');
  setLayer(/^L(\d+)/.exec(address)[1]);
  isolate(address);
}

/** Isolation follows the flow: the expert of the same track in the new layer. */
function changeLayer(value) {
  const track = isolated.track;
  setLayer(value);
  const expert = (facts.tracks[layer()] ?? [])[track];
  if (track >= 0) isolate(expert >= 0 ? `L${layer()}.E${expert}` : '');
}

function domainNote(card) {
  const note = one('.off-domains', card) ?? Object.assign(document.createElement('p'), { className: 'note off-domains' });
  const names = [...hiddenDomains].sort().map(d => `${facts.domains[d]} (${d + 1})`);
  note.textContent = `Hidden: ${names.join(', ')}. Means keep all domains.`;
  note.hidden = !names.length;
  one('.view', card).before(note);
}

function showDomains() {
  for (const panel of all('svg[data-domain]'))
    panel.toggleAttribute('hidden', hiddenDomains.has(+panel.dataset.domain));
  for (const box of all('[data-toggle-domain]')) box.checked = !hiddenDomains.has(+box.dataset.toggleDomain);
  for (const card of all('.card')) if (one('svg[data-domain]', card)) domainNote(card);
  state.hide = [...hiddenDomains].sort().map(d => d + 1).join('.');
}

function toggleDomain(d) {
  if (!(d in facts.domains)) return;
  if (!hiddenDomains.delete(d)) hiddenDomains.add(d);
  showDomains();
  say(`${facts.domains[d]} ${hiddenDomains.has(d) ? 'hidden' : 'shown'}. Means keep all domains.`);
}
