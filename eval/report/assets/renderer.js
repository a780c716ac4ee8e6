// The page's only WebGL context. It draws one cloud; a new layer uploads one byte a point.
const kColours = 17; // 16 tracks and grey
const kVertex = `
attribute vec3 position; attribute float track;
uniform vec3 centre, background, colours[${kColours}];
uniform mat3 turn; uniform vec2 scale, shift;
uniform float size, ceiling, radius, isolated;
varying vec3 colour;
void main() {
  vec3 p = turn * (position - centre); // right, up, towards the viewer
  gl_Position = position.z > ceiling ? vec4(2.0) : vec4(p.xy * scale + shift, -0.5 * p.z, 1.0);
  bool other = isolated >= 0.0 && abs(track - isolated) > 0.5;
  gl_PointSize = other ? 0.6 * size : size;
  // At most a quarter of the background, else colours leave the legend.
  float fade = 0.25 * clamp(0.5 - 0.5 * p.z / radius, 0.0, 1.0);
  int index = other || track > 15.5 ? ${kColours - 1} : int(track + 0.5);
  colour = mix(colours[index], background, other ? 0.5 + fade : fade);
}`;
const kFragment = `
precision mediump float;
varying vec3 colour;
void main() {
  if (length(gl_PointCoord - 0.5) > 0.5) discard;
  gl_FragColor = vec4(colour, 1.0);
}`;

function rgb(variable) {
  const hex = getComputedStyle(page).getPropertyValue(variable).trim();
  return [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16) / 255);
}

class Renderer {
  constructor() {
    this.canvas = document.createElement('canvas');
    this.gl = this.canvas.getContext('webgl', { antialias: false, premultipliedAlpha: false });
    if (!this.gl) return;
    this.program = this.link();
    this.uniform = name => this.gl.getUniformLocation(this.program, name);
    this.positions = this.gl.createBuffer();
    this.tracks = this.gl.createBuffer();
  }

  link() {
    const gl = this.gl, program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, kVertex], [gl.FRAGMENT_SHADER, kFragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    gl.enable(gl.DEPTH_TEST);
    return program;
  }

  upload(buffer, name, values, components, type, normalised, stride) {
    const gl = this.gl, at = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, components, type, normalised, stride, 0);
  }

  setPositions(values) { this.upload(this.positions, 'position', values, 3, this.gl.UNSIGNED_SHORT, true, 8); }
  setTracks(values) { this.upload(this.tracks, 'track', values, 1, this.gl.UNSIGNED_BYTE, false, 0); }

  draw(cloud, camera, cut) {
    const gl = this.gl, sharp = Math.min(devicePixelRatio, 2);
    const width = Math.round(this.canvas.clientWidth * sharp), height = Math.round(this.canvas.clientHeight * sharp);
    if (!width || !height) return;
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    this.setUniforms(cloud, camera, width, height);
    gl.uniform1f(this.uniform('ceiling'), cut ? cloud.ceiling : 2);
    gl.drawArrays(gl.POINTS, 0, cloud.points);
  }

  setUniforms(cloud, camera, width, height) {
    const gl = this.gl, scale = camera.scale(cloud, width, height);
    const colours = [...Array(kColours - 1).keys()].map(t => '--e' + t).concat('--grey');
    gl.uniform3fv(this.uniform('colours'), colours.flatMap(rgb));
    gl.uniform3fv(this.uniform('background'), rgb('--bg'));
    gl.uniform3fv(this.uniform('centre'), cloud.centre);
    gl.uniformMatrix3fv(this.uniform('turn'), false, camera.matrix());
    gl.uniform2fv(this.uniform('scale'), scale);
    gl.uniform2fv(this.uniform('shift'), camera.shift);
    gl.uniform1f(this.uniform('radius'), cloud.radius);
    gl.uniform1f(this.uniform('isolated'), isolated.track);
    gl.uniform1f(this.uniform('size'), Math.min(16, Math.max(2, 1.2 * height / Math.sqrt(cloud.points)) * Math.sqrt(camera.zoom)));
  }
}
