/** Makes a session of express-session what that of a shop's visitor is: some 350 bytes of JSON, its cookie included. */
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

/** What each page of that session contains. */
export function markOf(i) {
  return `data-user="${100_000 + i}"`;
}

/** Makes a session in `store` as a visit without a cookie does. Its token. */
export async function createSession(store, i) {
  const request = { sessionStore: store };
  store.generate(request);
  fillTypicalSession(request.session, i);
  await new Promise((resolve, reject) => {
    store.set(request.sessionID, request.session, (error) => (error ? reject(error) : resolve()));
  });
  return request.sessionID;
}
