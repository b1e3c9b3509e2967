/* SPDX-License-Identifier: MIT */
/* What a process that knows nothing of the dead one does with the same address. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "kernel.h"

/* NULL, or what is wrong. */
static char *connect_and_end(const char *address)
{
	struct ferry_link *l;

	if (ferry_open(&l, address, FERRY_DUPLEX))
		return (char *)"no connection";
	if (ferry_send(l, "again", 5, single_soon()))
		return (char *)"nothing can be sent";
	if (ferry_recv(l, buffer, sizeof buffer, single_soon()) != -ENODATA)
		return (char *)"there is no end";
	ferry_close(l);
	return NULL;
}

static void *connect_again(void *address)
{
	return connect_and_end(address);
}

bool can_listen(const struct scenario *s)
{
	char *address = at(s->address), word[8];
	struct ferry_link *l, *peer;
	pthread_t client;
	void *why = NULL;

	if (ferry_listen(&l, address))
		return false;
	if (pthread_create(&client, NULL, connect_again, address) ||
	    ferry_accept(l, &peer, single_soon()) ||
	    ferry_recv(peer, word, sizeof word, single_soon()) != 5)
		return false;
	ferry_close(peer);
	pthread_join(client, &why);
	ferry_close(l);
	if (why)
		single_violate(s->name, "for a new client: %s", (char *)why);
	return !why;
}

bool can_receive(const struct scenario *s)
{
	unsigned both = s->can & KEEPS ? FERRY_DUPLEX : FERRY_RECV;
	struct ferry_link *in, *out = NULL;
	char *address = at(s->address), *keep;
	const char *to = address;

	if (ferry_open(&in, address, both))
		return false;
	if (strstr(address, ":0")) /* a port that the system has chosen */
		to = ferry_address(in);
	keep = strstr(address, "&keep");
	if (keep) /* it is not for who sends */
		*keep = '\0';
	if (ferry_open(&out, to, FERRY_SEND) ||
	    ferry_send(out, "once more", 9, single_soon()))
		return false;
	while (ferry_recv(in, buffer, sizeof buffer, single_soon()) != 9)
		if (!(s->can & FOR_ALL))
			return false;
	ferry_close(out);
	ferry_close(in);
	return true;
}
