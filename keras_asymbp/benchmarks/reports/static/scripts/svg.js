// A chart as SVG: what it draws on its canvas is written down at the same time.

const SVG = "http://www.w3.org/2000/svg";

function svgElement(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const digits = (value) => String(Math.round(value * 100) / 100);

class Recorder {
  constructor(context, ratio, root) {
    Object.assign(this, { context, ratio, root, path: "", clip: null, clips: [], count: 0 });
  }

  at(x, y) {
    const { a, b, c, d, e, f } = this.context.getTransform();
    return `${digits((a * x + c * y + e) / this.ratio)} ${digits((b * x + d * y + f) / this.ratio)}`;
  }

  add(tag, attributes, ...children) {
    const { globalAlpha } = this.context;
    this.root.append(svgElement(tag, { ...attributes, opacity: globalAlpha < 1 ? globalAlpha : null, "clip-path": this.clip && `url(#${this.clip})` }, ...children));
  }

  save() { this.clips.push(this.clip); }
  restore() { this.clip = this.clips.pop() ?? null; }
  beginPath() { this.path = ""; }
  moveTo(x, y) { this.path += `M${this.at(x, y)}`; }
  lineTo(x, y) { this.path += `${this.path ? "L" : "M"}${this.at(x, y)}`; }
  closePath() { this.path += "Z"; }
  bezierCurveTo(...p) { this.path += `C${this.at(p[0], p[1])} ${this.at(p[2], p[3])} ${this.at(p[4], p[5])}`; }
  rect(x, y, width, height) { this.path += `M${this.at(x, y)}L${this.at(x + width, y)}L${this.at(x + width, y + height)}L${this.at(x, y + height)}Z`; }

  // Only whole circles are drawn.
  arc(x, y, radius) {
    const half = (to) => `A${digits(radius)} ${digits(radius)} 0 1 1 ${this.at(to, y)}`;
    this.path += `M${this.at(x - radius, y)}${half(x + radius)}${half(x - radius)}Z`;
  }

  clip_() {
    const id = `clip-${(this.count += 1)}`;
    this.root.append(svgElement("clipPath", { id }, svgElement("path", { d: this.path, ...(this.clip && { "clip-path": `url(#${this.clip})` }) })));
    this.clip = id;
  }

  fill() {
    if (this.path) this.add("path", { d: this.path, fill: this.context.fillStyle });
  }

  stroke() {
    const dash = this.context.getLineDash().join(" ");
    if (this.path) this.add("path", { d: this.path, fill: "none", stroke: this.context.strokeStyle, "stroke-width": this.context.lineWidth, "stroke-dasharray": dash || null });
  }

  fillRect(...box) {
    this.beginPath();
    this.rect(...box);
    this.fill();
  }

  fillText(text, x, y) {
    const { font, textAlign, textBaseline, fillStyle } = this.context;
    const { a, b } = this.context.getTransform();
    const [, weight, size, family] = /(bold )?([\d.]+)px(?:\/\S+)? (.*)/.exec(font);
    const place = this.at(x, y);
    const turn = Math.round((Math.atan2(b, a) * 180) / Math.PI);
    this.add(
      "text",
      {
        x: place.split(" ")[0],
        y: place.split(" ")[1],
        dy: { middle: "0.35em", top: "0.8em", hanging: "0.8em", bottom: "-0.2em" }[textBaseline] ?? null,
        fill: fillStyle,
        transform: turn ? `rotate(${turn} ${place})` : null,
        "text-anchor": { center: "middle", right: "end", end: "end" }[textAlign] ?? "start",
        "font-family": family,
        "font-size": size,
        "font-weight": weight ? "bold" : null,
      },
      text,
    );
  }
}

const RECORDED = ["save", "restore", "beginPath", "moveTo", "lineTo", "closePath", "bezierCurveTo", "rect", "arc", "clip", "fill", "stroke", "fillRect", "fillText"];

function asSvg(chart, words) {
  const { width, height, ctx } = chart;
  const root = svgElement("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  root.append(svgElement("title", {}, words), svgElement("rect", { width, height, fill: style("--ground") }));
  const recorder = new Recorder(ctx, chart.currentDevicePixelRatio, root);
  for (const name of RECORDED) {
    const drawn = ctx[name];
    ctx[name] = (...values) => {
      recorder[name === "clip" ? "clip_" : name](...values);
      drawn.apply(ctx, values);
    };
  }
  chart.draw();
  for (const name of RECORDED) delete ctx[name]; // the prototype's remain
  return new XMLSerializer().serializeToString(root);
}
