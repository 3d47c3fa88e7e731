import { addToCart } from '../../actions.js';

export default async function Product({ params }) {
  const { name } = await params;
  return (
    <>
      <h1>{name}</h1>
      <form action={addToCart}>
        <input type="hidden" name="product" value={name} />
        <button type="submit">Add to the cart</button>
      </form>
      <a href="/">Back</a>
    </>
  );
}
