import { notFound, redirect } from 'next/navigation';
import { session, sessionwise } from '../../../lib/sessionwise.js';

async function tell(what) {
  const visitor = await sessionwise();
  if (what === 'missing') notFound();
  if (what === 'moved') redirect('/');
  if (what === 'fails') throw new Error('of the page');
  const unseen = await visitor.unseen(['/a', '/b']);
  if (what === 'handle') return { id: visitor.id, page: visitor.page, unseen };
  const own = await session();
  if (what === 'writes') {
    try {
      own.cart = 'tv';
    } catch (error) {
      return { error: error.name };
    }
  }
  if (what === 'rotates') return own.rotate().catch((error) => ({ error: error.message }));
  return { fields: { ...own, cookie: undefined }, id: visitor.id, isDegraded: own.isDegraded() };
}

export default async function Page({ params }) {
  return <pre>{Buffer.from(JSON.stringify((await tell((await params).what)) ?? null)).toString('base64')}</pre>;
}
