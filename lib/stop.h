/*
 * The stop flag of a process: SIGTERM and SIGINT set it, a second one ends
 * the process at once.  SIGPIPE is ignored.
 */
#ifndef TURNOUT_STOP_H
#define TURNOUT_STOP_H

#include <stdbool.h>

void stop_install(void (*also)(void));
bool stop_asked(void);
void stop_ask(void);
int stop_fd(void);

#endif
