export { PAGE_SCRIPT } from './page-script-text.ts';
