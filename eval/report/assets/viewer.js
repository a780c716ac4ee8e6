// Turnable point clouds. The static picture of a sample is the poster under the canvas; without
// WebGL the viewer stays hidden and the pictures below it are all there is.
const kHome = { turn: 0.61, tilt: 0.87, zoom: 1, shift: [0, 0] }; // the angles of point_view.cpp

const kMargin = 1.12;

class Camera {
  constructor() { this.reset(); }
  reset() { Object.assign(this, kHome, { shift: [0, 0] }); }
  rotate(dx, dy) {
    this.turn -= dx;
    this.tilt = Math.min(1.57, Math.max(-1.57, this.tilt + dy));
  }
  /** The spot (x, y) of the picture, in -1..1, stays where it is. */
  zoomBy(factor, x, y) {
    const zoom = Math.min(40, Math.max(0.4, this.zoom * factor)), by = zoom / this.zoom;
    this.shift = [x + (this.shift[0] - x) * by, y + (this.shift[1] - y) * by];
    this.zoom = zoom;
  }
  /** Parallel view; at zoom 1 the poster's 4 : 3 frame fits with a margin. */
  scale(cloud, width, height) {
    const half = Math.min(height, width * 3 / 4) / 2 / (kMargin * cloud.half);
    return [this.zoom * half * 2 / width, this.zoom * half * 2 / height];
  }
  /** Rows right, up, towards the viewer; as columns. */
  matrix() {
    const c = Math.cos(this.turn), s = Math.sin(this.turn), C = Math.cos(this.tilt), S = Math.sin(this.tilt);
    return [c, -s * S, s * C, s, c * S, -c * C, 0, C, S];
  }
}

let renderer = null;

class Viewer {
  constructor(root) {
    this.stage = one('.stage', root);
    this.select = one('select', root);
    this.cut = one('.cut', root);
    this.caption = one('.caption', root);
    this.clouds = all('.cloud', root).map(element => new Cloud(element));
    this.card = root.closest('.card');
    this.picture = root.dataset.picture;
    this.camera = new Camera();
    root.hidden = false;
    this.poster();
    this.listen();
  }

  get cloud() { return this.clouds[this.select.selectedIndex]; }

  poster() {
    const picture = one(`.view:not([hidden]) svg[data-domain="${this.cloud.domain}"]`, this.card);
    const copy = picture?.cloneNode(true);
    one('.poster', this.stage).replaceChildren(...copy ? [copy] : []);
    if (!copy) return;
    copy.setAttribute('viewBox', this.picture);
    for (const text of all('text', copy)) text.remove();
    for (const name of ['data-domain', 'hidden', 'role', 'aria-label', 'tabindex']) copy.removeAttribute(name);
    copy.setAttribute('aria-hidden', 'true');
  }

  /** Takes the context; what another viewer showed becomes its poster again. */
  async show() {
    const cloud = this.cloud, shownLayer = cloud.nearest(layer());
    const [positions, tracks] = await Promise.all([cloud.positions(), cloud.tracks(shownLayer)]);
    if (cloud !== this.cloud || shownLayer !== cloud.nearest(layer())) return;
    if (renderer.shown !== cloud) renderer.setPositions(positions);
    renderer.setTracks(tracks);
    renderer.shown = cloud;
    one('.stage.live')?.classList.remove('live');
    this.stage.append(renderer.canvas);
    this.stage.classList.add('live');
    this.caption.textContent = this.describe(cloud, shownLayer);
    this.draw();
  }

  describe(cloud, shownLayer) {
    const other = shownLayer === layer() ? '' : ` (layer ${layer()} is not in the page)`;
    const only = isolated.address ? `, only ${isolated.address} in colour` : '';
    return `${cloud.detail} · layer ${shownLayer}${other}${only}`;
  }

  paint() {
    if (renderer.shown === this.cloud) renderer.draw(this.cloud, this.camera, this.cut.checked);
  }

  draw() {
    this.waiting ||= requestAnimationFrame(() => { this.waiting = 0; this.paint(); });
  }

  listen() {
    this.select.addEventListener('change', () => { this.poster(); this.show(); });
    this.cut.addEventListener('change', () => this.draw());
    document.addEventListener('repaint', () => { if (this.stage.classList.contains('live')) this.show(); else this.poster(); });
    new ResizeObserver(() => this.paint()).observe(this.stage); // at once: a stretched frame would show
    new IntersectionObserver(([entry]) => { if (entry.isIntersecting) this.show(); }, { rootMargin: '200px' }).observe(this.stage);
    this.stage.addEventListener('pointerdown', event => this.stage.setPointerCapture(event.pointerId));
    this.stage.addEventListener('pointermove', event => { if (event.buttons) this.drag(event); });
    this.stage.addEventListener('wheel', event => this.wheel(event), { passive: false });
    this.stage.addEventListener('dblclick', () => { this.camera.reset(); this.draw(); });
    this.stage.addEventListener('keydown', event => this.key(event));
  }

  drag(event) {
    const { clientWidth: w, clientHeight: h } = this.stage, { movementX: x, movementY: y } = event;
    if (event.shiftKey) this.camera.shift = [this.camera.shift[0] + 2 * x / w, this.camera.shift[1] - 2 * y / h];
    else this.camera.rotate(x * 0.008, y * 0.008);
    this.draw();
  }

  /** Only a viewer that was clicked takes the wheel: the page must stay scrollable. */
  wheel(event) {
    if (document.activeElement !== this.stage) return;
    event.preventDefault();
    const box = this.stage.getBoundingClientRect();
    const x = 2 * (event.clientX - box.left) / box.width - 1, y = 1 - 2 * (event.clientY - box.top) / box.height;
    this.camera.zoomBy(Math.exp(-0.0015 * event.deltaY), x, y);
    this.draw();
  }

  key(event) {
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (step) this.camera.rotate(...step);
    else if (event.key === '+' || event.key === '-') this.camera.zoomBy(event.key === '+' ? 1.2 : 1 / 1.2, 0, 0);
    else if (event.key === 'Home') this.camera.reset();
    else return;
    event.preventDefault();
    this.draw();
  }
}

if (one('.viewer') && typeof DecompressionStream === 'function') {
  renderer = new Renderer();
  if (renderer.gl) for (const root of all('.viewer')) new Viewer(root);
}
