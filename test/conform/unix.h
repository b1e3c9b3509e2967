/* SPDX-License-Identifier: MIT */
/* A socket file of the test's own, and plain sockets at it. */
#ifndef FERRY_TEST_CONFORM_UNIX_H
#define FERRY_TEST_CONFORM_UNIX_H

extern char path[100], address[120];

/* The socket of this test, with these keys in the address. */
void set_path(const char *keys);

int raw_bound(int type);
int raw_listener(int type);
int raw_client(int type);

#endif
