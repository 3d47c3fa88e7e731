'use server';

import { redirect } from 'next/navigation';
import { sw } from '../lib/sessionwise.js';

export const addToCart = sw.action(async ({ session }, form) => {
  await session.append('cart', form.get('product'));
  redirect('/');
});

export const logIn = sw.action(async ({ session }, form) => {
  const user = form.get('user');
  // A new secret: a cookie that somebody planted before is worth nothing now.
  await session.rotate();
  await session.identify(user);
  session.user = user;
  redirect('/');
});

export const logOut = sw.action(async ({ session }) => {
  await session.destroy();
  redirect('/');
});
