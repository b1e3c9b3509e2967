/* SPDX-License-Identifier: MIT */
/* What the tests of signal: share. */
#ifndef FERRY_TEST_CONFORM_SIGNAL_H
#define FERRY_TEST_CONFORM_SIGNAL_H

#include "conform.h"

struct ferry_link *open_self(const char *list);
struct ferry_link *open_pid(long pid, const char *keys);
int try_open(const char *address, unsigned flags);
struct ferry_signal next_signal(void);
void exit_with(void *arg); /* of a child: its status, an int */

#endif
