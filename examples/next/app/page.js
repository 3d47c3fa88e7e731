import Link from 'next/link';
import { session, sessionwise } from '../lib/sessionwise.js';
import { logIn, logOut } from './actions.js';

const PRODUCTS = ['lamp', 'tv', 'cable'];

export default async function Home() {
  const [{ user, cart = [] }, visitor] = await Promise.all([session(), sessionwise()]);
  // Undefined while the service is away: then all are shown.
  const fresh = await visitor.unseen(PRODUCTS.map((name) => `/products/${name}`));
  return (
    <>
      <h1>{user ? `Hello, ${user}` : 'Hello'}</h1>
      <p id="cart">In the cart: {cart.join(', ') || 'nothing'}</p>
      <ul>
        {PRODUCTS.map((name) => (
          <li key={name}>
            <Link href={`/products/${name}`}>{name}</Link>
            {fresh?.includes(`/products/${name}`) ? ' (new for you)' : ''}
          </li>
        ))}
      </ul>
      <form action={user ? logOut : logIn}>
        {user ? null : <input name="user" aria-label="Name" required />}
        <button type="submit">{user ? 'Log out' : 'Log in'}</button>
      </form>
    </>
  );
}
