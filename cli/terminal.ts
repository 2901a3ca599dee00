// Text of strangers on a terminal: nothing in it may move the cursor, colour, link, or run right to left.

/** C0 and C1 controls, bidirectional controls, line and paragraph separators, zero-width characters. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

export function printable(text: string): string {
  return text.replace(unsafe, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same for a text of several lines: its line feeds and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(unsafe, (found) => (found === '\n' || found === '\t' ? found : printable(found)));
}

/** Left-aligned columns, two blanks apart. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(printable));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}
