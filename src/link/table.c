/* SPDX-License-Identifier: MIT */
/* The transports there are, in the order of the manual.  One line a scheme. */
#include "link/transport.h"

extern const struct ferryi_transport ferryi_transport_mailbox;
extern const struct ferryi_transport ferryi_transport_topic;
extern const struct ferryi_transport ferryi_transport_channel;
extern const struct ferryi_transport ferryi_transport_process;
extern const struct ferryi_transport ferryi_transport_pipe;
extern const struct ferryi_transport ferryi_transport_fifo;
extern const struct ferryi_transport ferryi_transport_unix;
extern const struct ferryi_transport ferryi_transport_tcp;
extern const struct ferryi_transport ferryi_transport_udp;
extern const struct ferryi_transport ferryi_transport_mq;
extern const struct ferryi_transport ferryi_transport_sysv;
extern const struct ferryi_transport ferryi_transport_file;
extern const struct ferryi_transport ferryi_transport_signal;
extern const struct ferryi_transport ferryi_transport_fd;
extern const struct ferryi_transport ferryi_transport_fault;

const struct ferryi_transport *const ferryi_transports[] = {
	&ferryi_transport_mailbox, &ferryi_transport_topic,
	&ferryi_transport_channel, &ferryi_transport_process,
	&ferryi_transport_pipe,	   &ferryi_transport_fifo,
	&ferryi_transport_unix,	   &ferryi_transport_tcp,
	&ferryi_transport_udp,	   &ferryi_transport_mq,
	&ferryi_transport_sysv,	   &ferryi_transport_file,
	&ferryi_transport_signal,  &ferryi_transport_fd,
	&ferryi_transport_fault,   NULL,
};

_Static_assert(sizeof ferryi_transports / sizeof ferryi_transports[0] <=
		       FERRYI_TRANSPORTS_MOST + 1,
	       "raise FERRYI_TRANSPORTS_MOST");

const struct ferry_transport_info *ferry_transport(unsigned i)
{
	for (unsigned k = 0; ferryi_transports[k]; k++)
		if (k == i)
			return &ferryi_transports[k]->info;
	return NULL;
}
