// Passkeys: the two WebAuthn ceremonies. A form carries the server's options; the answer goes back in the same form.
// W3C Web Authentication Level 2, sections 5.1.3 and 5.1.4.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

function creation(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  };
}

function request(options) {
  return { ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials) };
}

function answer(credential) {
  const { response } = credential;
  const parts = { clientDataJSON: response.clientDataJSON };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) parts[name] = response[name];
  }
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: Object.fromEntries(Object.entries(parts).map(([name, buffer]) => [name, text(buffer)])),
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

const ceremonies = {
  create: (options) => navigator.credentials.create({ publicKey: creation(options) }),
  get: (options) => navigator.credentials.get({ publicKey: request(options) }),
};

async function perform(form) {
  const live = document.getElementById("live");
  live.textContent = "";
  live.className = "live";
  try {
    const options = JSON.parse(form.dataset.options);
    form.elements.answer.value = answer(await ceremonies[form.dataset.ceremony](options));
    form.submit();
  } catch (error) {
    live.className = "live note bad";
    live.textContent = error.name === "InvalidStateError"
      ? "This device has a passkey for this account already."
      : "No passkey was used. You can try again, or log in with your password.";
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-ceremony]")) {
    form.closest("[data-passkeys]").hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      perform(form);
    });
  }
}
