// tsc does not keep the executable bit that `npx sessionwise` and a packed tarball need.
import { chmodSync } from 'node:fs';

chmodSync('dist/cli/main.js', 0o755);
