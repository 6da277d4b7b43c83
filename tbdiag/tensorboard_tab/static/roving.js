// Arrow keys within a group of which only one member is a stop for Tab.

// Where a key leads in a grid of so many rows and columns; null where it leads nowhere. Pure.
export function moved(key, at, rows, columns) {
  let {row, column} = at;
  if (key === 'ArrowDown') row += 1;
  else if (key === 'ArrowUp') row -= 1;
  else if (key === 'ArrowRight') column += 1;
  else if (key === 'ArrowLeft') column -= 1;
  else if (key === 'Home') column = 0;
  else if (key === 'End') column = columns - 1;
  else if (key === 'PageDown') row += 10;
  else if (key === 'PageUp') row -= 10;
  else return null;
  return {
    row: Math.min(Math.max(row, 0), rows - 1),
    column: Math.min(Math.max(column, 0), columns - 1),
  };
}

// `cells()` gives rows of elements, null where there is nothing to reach.
export function rove(host, cells) {
  const stops = () => cells().filter((row) => row.some(Boolean));
  const place = (target) => {
    const grid = stops();
    for (let row = 0; row < grid.length; row++) {
      const column = grid[row].findIndex((each) => each && (each === target || each.contains(target)));
      if (column >= 0) return {grid, row, column};
    }
    return null;
  };
  const only = (stop) => {
    for (const row of stops()) for (const each of row) if (each) each.tabIndex = each === stop ? 0 : -1;
  };
  host.addEventListener('focusin', (event) => {
    const found = place(event.target);
    if (found) only(found.grid[found.row][found.column]);
  });
  host.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const from = place(event.target);
    if (!from) return;
    const columns = Math.max(...from.grid.map((row) => row.length));
    const to = moved(event.key, from, from.grid.length, columns);
    if (!to) return;
    event.preventDefault();
    const row = from.grid[to.row];
    const next = row[to.column] ?? nearest(row, to.column, event.key === 'ArrowLeft' ? -1 : 1);
    if (next) next.focus();
  });
  return {
    refresh() {
      const grid = stops();
      const reachable = grid.flat().filter(Boolean);
      if (!reachable.some((each) => each.tabIndex === 0)) only(reachable[0]);
      else only(reachable.find((each) => each.tabIndex === 0));
    },
  };
}

function nearest(row, from, direction) {
  for (const way of [direction, -direction]) {
    for (let column = from; column >= 0 && column < row.length; column += way) {
      if (row[column]) return row[column];
    }
  }
  return null;
}
