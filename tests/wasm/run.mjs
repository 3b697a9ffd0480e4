// MicroPython's 32-bit WebAssembly build as a server of calls:
//   node run.mjs HEAP_BYTES MODULE FOLDER...
// Copies the folders into the interpreter's /lib and imports MODULE. Each line on stdin goes to its answer(line),
// and what that returns goes to stdout. Every call is a top-level one, because this build collects garbage only
// between those.
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";

import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";

const [heap, module, ...folders] = process.argv.slice(2);

const machine = await loadMicroPython({
  heapsize: Number(heap),
  stdout: (line) => console.log(line),
  stderr: (line) => console.error(line),
});

function copy(from, to) {
  if (!machine.FS.analyzePath(to).exists) machine.FS.mkdir(to);
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), `${to}/${entry.name}`];
    if (entry.isDirectory()) copy(source, target);
    else if (/\.m?py$/.test(entry.name)) machine.FS.writeFile(target, fs.readFileSync(source));
  }
}

function run(code) {
  try {
    machine.runPython(code);
  } catch (error) {
    console.error(error.message); // the Python traceback, without 150 KB of minified JavaScript
    process.exit(1);
  }
}

for (const folder of folders) copy(folder, "/lib");
run(`import sys\nsys.path.append("/lib")\nimport ${module} as desk`);
for await (const line of readline.createInterface({ input: process.stdin })) {
  machine.globals.set("line", line);
  run("print(desk.answer(line))");
}
