import { once as event } from 'node:events';
import express from 'express';

/** A page of a shop, that reads its visitor's session (`/read`) or also counts the view in it (`/write`). Listens on a
 *  free port of this machine. */
export async function servePage({ middleware }) {
  const application = express();
  application.use(middleware);
  application.get('/read', ({ session }, response) => void response.send(render(session)));
  application.get('/write', ({ session }, response) => {
    session.views += 1;
    response.send(render(session));
  });
  const server = application.listen(0, '127.0.0.1');
  await event(server, 'listening');
  return { port: server.address().port, close: () => server.close() };
}

function render({ user, cart, theme, language, csrf, views }) {
  const lines = cart.map(({ id, n }) => `<li>${n} x ${id}</li>`).join('');
  return `<!doctype html><html lang="${language}" class="${theme}"><title>Shop</title><h1>Hello ${user.name}</h1>
<ul>${lines}</ul><p>Page ${views} of your visit.</p><form><input type="hidden" name="csrf" value="${csrf}"></form></html>`;
}
