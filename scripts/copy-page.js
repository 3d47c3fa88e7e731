// tsc copies no scripts and styles of pages: they are served as they are.
import { cpSync } from 'node:fs';

cpSync('src/dashboard/page', 'dist/dashboard/page', {
  recursive: true,
  filter: (source) => !source.endsWith('tsconfig.json'),
});
