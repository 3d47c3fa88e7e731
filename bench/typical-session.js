export const COOKIE = { maxAge: 86_400_000 };

/** Makes a session of express-session what that of a shop's visitor is: 350 bytes of JSON, its cookie included. */
export function fillTypicalSession(session, i) {
  session.user = { id: 100_000 + i, name: 'Ada Exemplar', role: 'customer' };
  session.cart = [
    { id: 'lamp-17-brass', n: 1 },
    { id: 'desk-4-oak', n: 2 },
    { id: 'cable-230', n: 1 },
  ];
  session.csrf = 'q0Vt3rYw8kTzPf1uXn5sLg2bHc7dJm4a';
  session.theme = 'dark';
  session.language = 'en-GB';
  session.views = 1;
}
