export { LIVE_SCRIPT } from './live-script-text.ts';
export { PAGE_SCRIPT } from './page-script-text.ts';
