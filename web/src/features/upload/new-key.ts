/** 128 random bits in hexadecimal. `crypto.randomUUID` is not there where the page came by plain http, as in a home network. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
