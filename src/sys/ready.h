/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors, and the eventfd that interrupts it. */
#ifndef FERRYI_SYS_READY_H
#define FERRYI_SYS_READY_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* poll(2) until `deadline` (monotonic ns).  >0: ready; 0: time; -EINTR; error.
 * Only the wait room calls this with a deadline in the future. */
int ferryi_poll(struct pollfd *fds, unsigned n, int64_t deadline);

int ferryi_eventfd(void); /* a descriptor or a negative errno */
/* Another one by that number.  0, or a negative errno. */
int ferryi_eventfd_renew(int fd);
void ferryi_eventfd_set(int fd); /* readable from now on; async-signal-safe */
void ferryi_eventfd_clear(int fd);
bool ferryi_eventfd_take(int fd); /* cleared, and by nobody else meanwhile */

/* A timer, and when it is readable (monotonic ns; INT64_MAX: never). */
int ferryi_timer(void); /* a descriptor or a negative errno */
void ferryi_timer_set(int fd, int64_t at);

/*
 * A set of descriptors that is one itself: readable when one of them is, and may
 * be in another set.  `about` comes back for those that are ready, at most n of
 * them; one that is always ready does not keep the others out.  A descriptor is
 * removed before it is closed.
 */
int ferryi_set_new(void); /* a descriptor or a negative errno */
int ferryi_set_add(int set, int fd, void *about);
/* The same with poll(2) events, or others for one that is in it. */
int ferryi_set_watch(int set, int fd, short events);
void ferryi_set_remove(int set, int fd);
unsigned ferryi_set_ready(int set, void **about, unsigned n);

#endif
