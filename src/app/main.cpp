#include "app/start.hpp"

int main(int count, char** arguments) { return handyrep::app::start(count, arguments); }
