// PNG of a figure as the card shows it, in light colours at twice the size. The page knows no file
// system, so the drawing is put together from its own panels: SVG -> image -> canvas.
const kRowWidth = 640, kGap = 8, kSharpness = 2;

function panelsOf(card) {
  return all('.view:not([hidden]) .plot > svg:not([hidden])', card);
}

/** The panels in rows, as the SVG file has them. */
function composed(panels) {
  let x = 0, y = 0, row = 0, width = 1, body = '';
  for (const panel of panels) {
    const w = panel.width.baseVal.value, h = panel.height.baseVal.value;
    if (x > 0 && x + w > kRowWidth) [x, y, row] = [0, y + row + 10, 0];
    body += `<g transform="translate(${x} ${y})">${new XMLSerializer().serializeToString(panel)}</g>`;
    [x, row, width] = [x + w + kGap, Math.max(row, h), Math.max(width, x + w)];
  }
  const light = /:root\{([^}]*)\}/.exec(one('#theme-rules').textContent)[1];
  const sheet = `svg{${light}}${one('#figure-rules').textContent}`;
  return { width, height: y + row, text: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + row}">` +
    `<style>${sheet}</style><rect width="100%" height="100%" fill="#fff"/>${body}</svg>` };
}

async function rasterise({ width, height, text }) {
  const image = new Image();
  image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(text);
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: width * kSharpness, height: height * kSharpness });
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise(done => canvas.toBlob(done, 'image/png'));
}

async function savePicture(card) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await rasterise(composed(panelsOf(card))));
  link.download = card.dataset.slug + '.png';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

for (const button of all('[data-png]')) button.hidden = false;
