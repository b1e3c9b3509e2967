/* SPDX-License-Identifier: MIT */
/*
 * fault+ANY without any fault: what injects nothing changes nothing, so what is
 * expected of each is what is expected of the scheme behind it.  One line a fixture.
 */
#include "conform.h"

static const char *const behind[] = {
	"mailbox",
	"topic",
	"channel",
	"channel-half",
	"channel-pair-stream",
	"process",
	"pipe",
	"pipe-nul",
	"pipe-half",
	"fifo",
	"fifo-accepted-nul",
	"unix",
	"unix-len32",
	"unix-seqpacket",
	"unix-seqpacket-pair",
	"unix-dgram",
	"fd-seqpacket",
	"tcp",
	"tcp-across",
	"tcp-len32-across",
	"udp",
	"udp-across",
	"mq",
	"sysv",
	"file",
	"signal",
};

#define N_BEHIND (sizeof behind / sizeof behind[0])

static struct {
	struct fixture f;
	char name[40], scheme[20];
} made[N_BEHIND];

const struct fixture *fixture_with_faults(unsigned i)
{
	struct fixture *this;

	if (i >= N_BEHIND)
		return NULL;
	this = &made[i].f;
	if (this->name)
		return this;
	*this = *fixture_named(behind[i]);
	this->before = "fault+";
	snprintf(made[i].name, sizeof made[i].name, "fault-%s", this->name);
	snprintf(made[i].scheme, sizeof made[i].scheme, "fault+%s",
		 this->scheme);
	this->name = made[i].name;
	this->scheme = made[i].scheme;
	return this;
}
