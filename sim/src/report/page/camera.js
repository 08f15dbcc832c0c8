// How the world is laid on the canvas: following the ego, or still; turned with it, or north up.

const camera = {
  scale: null, // pixels a metre; null: so that it fits
  pan: { right: 0, up: 0 }, // how far the view was dragged, in metres of the view
};

function resetCamera() {
  camera.scale = null;
  camera.pan = { right: 0, up: 0 };
}

/** The view of a run at a place in time, for a canvas of this size. */
function viewOf(run, ego, width, height) {
  const still = state.camera === "still";
  const extent = run.extent();
  const base = still || !ego ? extent : ego;
  const up = state.camera === "ahead" && ego ? ego.yaw : Math.PI / 2;
  const fit = still
    ? Math.min(width / (extent.width + 50), height / (extent.height + 50), 12)
    : clamp(Math.min(width, height) / 62, 4, 14);
  return new View({
    base,
    up,
    scale: camera.scale ?? fit,
    anchor: { x: width / 2, y: height * (state.camera === "ahead" ? 0.66 : 0.5) },
  });
}

class View {
  constructor({ base, up, scale, anchor }) {
    Object.assign(this, { scale, anchor });
    [this.sin, this.cos] = [Math.sin(up), Math.cos(up)];
    this.x = base.x + camera.pan.right * this.sin + camera.pan.up * this.cos;
    this.y = base.y - camera.pan.right * this.cos + camera.pan.up * this.sin;
  }

  /** Canvas pixels of a point in the world. */
  toCanvas(x, y) {
    const [dx, dy] = [x - this.x, y - this.y];
    return {
      x: this.anchor.x + this.scale * (dx * this.sin - dy * this.cos),
      y: this.anchor.y - this.scale * (dx * this.cos + dy * this.sin),
    };
  }

  /** The point in the world under a canvas pixel. */
  toWorld(x, y) {
    const { right, up } = this.metres(x, y);
    return { x: this.x + right * this.sin + up * this.cos, y: this.y - right * this.cos + up * this.sin };
  }

  /** Metres from the anchor to a canvas pixel, along the view. */
  metres(x, y) {
    return { right: (x - this.anchor.x) / this.scale, up: (this.anchor.y - y) / this.scale };
  }

  /** Makes the context draw in metres of the world. */
  apply(context, ratio) {
    const [a, b] = [this.scale * this.sin, -this.scale * this.cos];
    const [c, d] = [-this.scale * this.cos, -this.scale * this.sin];
    const e = this.anchor.x - a * this.x - c * this.y;
    const f = this.anchor.y - b * this.x - d * this.y;
    context.setTransform(a * ratio, b * ratio, c * ratio, d * ratio, e * ratio, f * ratio);
  }

  /** Zooms so that the point under the pointer stays there. */
  zoom(factor, x, y) {
    const before = this.metres(x, y);
    camera.scale = clamp(this.scale * factor, 0.5, 80);
    const shrink = this.scale / camera.scale;
    camera.pan.right += before.right * (1 - shrink);
    camera.pan.up += before.up * (1 - shrink);
  }

  drag(dx, dy) {
    camera.pan.right -= dx / this.scale;
    camera.pan.up += dy / this.scale;
  }
}
