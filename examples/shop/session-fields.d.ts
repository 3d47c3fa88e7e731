import 'express-session';

declare module 'express-session' {
  interface SessionData {
    /** The name that somebody logged in with. */
    name?: string | undefined;
    /** How many of a product are in the cart. */
    [product: `cart:${string}`]: number | undefined;
  }
}
