// Imports one package in a process that does nothing else. Arguments: `time` or `count`, the package. Modules are counted
// in a run of their own, because that takes time.
import { Session } from 'node:inspector';

const [mode, name] = process.argv.slice(2);
let modules = 0;
if (mode === 'count') {
  const session = new Session();
  session.connect();
  // Those that are there already are told at once.
  session.post('Debugger.enable');
  session.on('Debugger.scriptParsed', ({ params: { url } }) => {
    if (url.startsWith('file:') || url.startsWith('/')) modules += 1;
  });
}
const started = performance.now();
await import(name);
process.send({ ms: performance.now() - started, modules }, () => process.exit());
