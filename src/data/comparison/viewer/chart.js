const SVG = "http://www.w3.org/2000/svg";

/** Draws how much of each frame changed, as an area over the time line; returns what marks a frame in it. */
export function drawChart(svg, shares) {
  const most = Math.max(...shares, 1e-9);
  const last = Math.max(1, shares.length - 1);
  svg.setAttribute("viewBox", `0 0 ${last} 1`);
  const points = shares.map(
    (share, index) => `L${index} ${(1 - (0.94 * share) / most).toFixed(3)}`,
  );
  const area = document.createElementNS(SVG, "path");
  area.setAttribute("d", `M0 1${points.join("")}L${last} 1Z`);
  const mark = document.createElementNS(SVG, "line");
  mark.setAttribute("y1", "0");
  mark.setAttribute("y2", "1");
  svg.append(area, mark);
  return (frame) => {
    mark.setAttribute("x1", frame);
    mark.setAttribute("x2", frame);
  };
}
