/** Express 4, under an alias beside Express 5, whose types describe what we use of it. */
declare module 'express4' {
  export { default } from 'express';
}
