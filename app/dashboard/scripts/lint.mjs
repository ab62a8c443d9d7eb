// What the compiler does not see: no HTML from data, no inline styles or scripts, every sentence in both languages.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const banned = [
  [/v-html|innerHTML|outerHTML|insertAdjacentHTML/, "text is shown as text: no HTML from data"],
  [/\sstyle="/, "the content security policy forbids inline styles in markup; bind :style or use a class"],
  [/\beval\(|new Function\(/, "no code from text"],
];
const files = (folder) =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
let faults = 0;
for (const path of files("src").filter((one) => !one.includes(".generated."))) {
  const lines = readFileSync(path, "utf8").split("\n");
  if (lines.length > 320 && !path.includes("locales")) tell(path, lines.length, "a file is one job: split it");
  lines.forEach((line, at) => {
    for (const [pattern, why] of banned) if (pattern.test(line)) tell(path, at + 1, why);
  });
}
process.exit(faults ? 1 : 0);

function tell(path, line, why) {
  faults += 1;
  console.error(`${path}:${line}: ${why}`);
}
