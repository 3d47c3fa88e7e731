/** All orders of some values: of 3 of them 6. */
export function ordersOf<Value>(values: readonly Value[]): Value[][] {
  if (values.length <= 1) return [[...values]];
  return values.flatMap((first, i) =>
    ordersOf([...values.slice(0, i), ...values.slice(i + 1)]).map((others) => [first, ...others]),
  );
}
