/*
 * The three standard descriptors: if one of them were closed, the next socket
 * would take its number, and be printed to.
 */
#ifndef TURNOUT_STANDARD_H
#define TURNOUT_STANDARD_H

void standard_open(void);

#endif
