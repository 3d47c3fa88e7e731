import { redirect } from 'next/navigation';
import { sw } from '../../../lib/sessionwise.js';

const WORK = {
  set: ({ session }, name, value) => {
    session[name] = value;
  },
  fields: ({ session }) => ({ ...session, cookie: undefined }),
  info: ({ session }) => session.info() ?? null,
  increment: ({ session }) => session.increment('n'),
  login: async ({ session }, user) => {
    await session.rotate();
    await session.identify(user);
  },
  logout: ({ session }) => session.destroy(),
  regenerate: async (visit) => {
    await visit.session.regenerate();
    visit.session.fresh = true;
  },
  rotate: ({ session }) => session.rotate(),
  redirect: ({ session }) => {
    session.redirected = true;
    redirect('/');
  },
  fails: async ({ session }) => {
    session.failed = true;
    await session.save();
    throw new Error('of the page');
  },
  total: async ({ sessionwise }) => (await sessionwise.figures())?.totalPages ?? null,
  who: ({ sessionwise }) => sessionwise.id ?? null,
  stream: ({ session }) => {
    session.streamed = true;
    const parts = ['first, ', 'second'];
    const body = new ReadableStream({
      pull(controller) {
        const part = parts.shift();
        if (part === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(part));
      },
    });
    return new Response(body);
  },
};

const handle = sw.route(async (visit, _request, { params }) => {
  const [verb, ...given] = (await params).path;
  try {
    const result = await WORK[verb](visit, ...given);
    return result instanceof Response ? result : Response.json(result ?? null);
  } catch (error) {
    if (error.code === undefined) throw error;
    return Response.json({ code: error.code }, { status: error.status });
  }
});

export const GET = handle;
export const POST = handle;
