/* login.js: sends the token in a body; the answer is a cookie that scripts cannot read. */

const form = /** @type {HTMLFormElement} */ (document.getElementById('login'));
const input = /** @type {HTMLInputElement} */ (document.getElementById('token'));
const trouble = /** @type {HTMLElement} */ (document.getElementById('trouble'));

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  trouble.hidden = true;
  try {
    const response = await fetch('login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: input.value.trim() }),
    });
    if (response.ok) {
      location.reload();
      return;
    }
    trouble.textContent = (await response.json()).error.message;
  } catch {
    trouble.textContent = 'The dashboard does not answer.';
  }
  trouble.hidden = false;
  input.select();
});
input.focus();
