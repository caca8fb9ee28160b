using MuseAtelier.Tools.Charts;

return ChartsCommand.Run(args);
