// Patterns of control lines, drawn once on a canvas as the printed sheets have them.

const SIDE = 16;

export function hatchImage(hatch: string, colour: string): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 1.4;
  const line = (...points: [number, number][]) => {
    pen.beginPath();
    points.forEach(([x, y], n) => (n % 2 ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.stroke();
  };
  if (/[/x]/.test(hatch)) line([0, SIDE], [SIDE, 0], [-2, 2], [2, -2], [SIDE - 2, SIDE + 2], [SIDE + 2, SIDE - 2]);
  if (/[\\x]/.test(hatch)) line([0, 0], [SIDE, SIDE], [-2, SIDE - 2], [2, SIDE + 2], [SIDE - 2, -2], [SIDE + 2, 2]);
  if (/[-+]/.test(hatch)) line([0, SIDE / 2], [SIDE, SIDE / 2]);
  if (/[|+]/.test(hatch)) line([SIDE / 2, 0], [SIDE / 2, SIDE]);
  if (/[.oO]/.test(hatch)) {
    pen.beginPath();
    pen.arc(SIDE / 2, SIDE / 2, 1.6, 0, 7);
    pen.fill();
  }
  return pen.getImageData(0, 0, SIDE, SIDE);
}
