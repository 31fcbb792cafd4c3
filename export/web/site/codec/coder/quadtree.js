// Four passes over 2×2 positions, see `yoto_tf.zoo.codec.coding.quadtree`.

export const GROUPS = 4;
export const PASSES = 4;
// Group ⊕ class of each pass.
const SHIFTS = [0, 3, 1, 2];

// The group of channels that a position codes in a pass.
export function groupAt(row, column, number) {
  return (2 * (row % 2) + (column % 2)) ^ SHIFTS[number];
}

// Calls a function of (row, column) with the positions of each class in turn, rows of
// them from above: the order in which a pass is coded. Both sides are even.
export function eachPosition(height, width, visit) {
  for (let top = 0; top < 2; top++) {
    for (let left = 0; left < 2; left++) {
      for (let row = top; row < height; row += 2) {
        for (let column = left; column < width; column += 2) visit(row, column);
      }
    }
  }
}
