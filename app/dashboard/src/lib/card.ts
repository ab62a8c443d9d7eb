/** Model cards are Markdown of few kinds: headings, paragraphs, lists and tables. They are read into blocks and shown
 *  as text, so that nothing in a card (a column's name, say) can become markup. */
export type Block =
  | { kind: "heading"; text: string }
  | { kind: "text"; text: string }
  | { kind: "list"; items: string[] }
  | { kind: "table"; head: string[]; rows: string[][] };

const plain = (text: string): string => text.replace(/\*\*|`/g, "");
const cells = (line: string): string[] => line.replace(/^\||\|$/g, "").split("|").map((cell) => plain(cell.trim()));

export function blocksOf(card: string): Block[] {
  return card.split(/\n{2,}/).map((part) => part.trim()).filter((part) => part && !part.startsWith("# ")).map(blockOf);
}

function blockOf(part: string): Block {
  const lines = part.split("\n");
  const [first = "", , ...rest] = lines;
  if (part.startsWith("## ")) return { kind: "heading", text: plain(part.slice(3)) };
  if (lines.every((line) => line.startsWith("- "))) return { kind: "list", items: lines.map((line) => plain(line.slice(2))) };
  if (rest.length && lines.every((line) => line.startsWith("|"))) return { kind: "table", head: cells(first), rows: rest.map(cells) };
  return { kind: "text", text: plain(part) };
}
