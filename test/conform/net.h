/* SPDX-License-Identifier: MIT */
/* What the tests of tcp: and udp: share: addresses and refusals. */
#ifndef FERRY_TEST_CONFORM_NET_H
#define FERRY_TEST_CONFORM_NET_H

#include <netinet/in.h>

#include "conform.h"

/* A call with this address fails so, and the sentence holds the word. */
struct net_refusal {
	const char *address;
	int err;
	const char *word;
};

void net_refused(int err, const struct net_refusal *r);

/* The port at the end of an address. */
int net_port(const char *address);

/* The address of this end, as ferry_local_address() tells it. */
const char *net_local(struct ferry_link *l);

/* A port of 127.0.0.1. */
struct sockaddr_in net_v4(int port);

/* A plain socket that is bound to a port of 127.0.0.1, which *port becomes. */
int net_bound(int type, int *port);

#endif
