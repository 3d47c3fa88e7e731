import { sw } from '../../../lib/sessionwise.js';

export const GET = sw.route(({ session }) => Response.json(session.cart ?? []));

export const POST = sw.route(async ({ session }, request) => {
  const { product } = await request.json();
  return Response.json(await session.append('cart', product));
});
