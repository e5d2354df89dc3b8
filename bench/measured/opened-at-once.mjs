/** Connections that are opened at a time: fewer than a host lets wait for its welcome. */
export const openedAtOnce = 32;
