using MuseAtelier.Tools;
using MuseAtelier.Tools.Charts;

using var console = new Utf8Console();
return ChartsCommand.Run(args);
