// Decoding of the point clouds that eval/report/cloud.cpp packs: base64 of zlib streams.
async function inflate(base64) {
  const packed = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Six planes (x low, x high, y low, ...) of differences become [N][4] u16, the last one unused. */
function decodePositions(planes, count) {
  const out = new Uint16Array(4 * count);
  for (let axis = 0; axis < 3; ++axis) {
    const low = 2 * axis * count, high = low + count;
    for (let i = 0, at = 0; i < count; ++i) {
      at = (at + planes[low + i] + 256 * planes[high + i]) & 65535;
      out[4 * i + axis] = at;
    }
  }
  return out;
}

/** A cloud of the page; streams are decoded when first asked for. */
class Cloud {
  constructor(element) {
    Object.assign(this, JSON.parse(element.textContent));
    this.decoded = new Map();
  }
  positions() { return this.once('positions', async () => decodePositions(await inflate(this.position), this.points)); }
  tracks(layer) { return this.once(layer, () => inflate(this.layers[layer])); }
  once(key, decode) {
    if (!this.decoded.has(key)) this.decoded.set(key, decode());
    return this.decoded.get(key);
  }
  /** The layer itself, or the nearest one that the page kept. */
  nearest(layer) { return nearest(Object.keys(this.layers).map(Number), layer); }
}
