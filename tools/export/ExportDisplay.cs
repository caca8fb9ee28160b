using System.Globalization;
using MuseAtelier.Export;
using Spectre.Console;

namespace MuseAtelier.Tools.Export;

/// <summary>Shows an export's progress: as a bar in a terminal, and as a line for each phase otherwise.</summary>
internal static class ExportDisplay
{
    public static Task<ExportResult> RunAsync(Func<IProgress<ExportProgress>, ExportResult> export)
    {
        if (Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Interactive) return Task.Run(() => export(new PlainProgress()));
        return AnsiConsole.Progress()
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new ElapsedTimeColumn(),
                new SpinnerColumn())
            .StartAsync(context => Task.Run(() => export(new BarProgress(context))));
    }

    private static string Amount(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:N0} MB");

    // This must not be Progress<T>, because that reports on other threads, where reports may overtake each other.
    private sealed class PlainProgress : IProgress<ExportProgress>
    {
        private string? _phase;
        private int _quarter;

        public void Report(ExportProgress value)
        {
            int quarter = (int)(value.Fraction * 4);
            if (value.Phase == _phase && quarter <= _quarter) return;
            (_phase, _quarter) = (value.Phase, quarter);
            try
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{value.Phase}: {value.Fraction * 100:F0} %, {Amount(value.BytesWritten)} written"));
            }
            catch (IOException)
            {
                // A failure to write the progress must not end the export.
            }
        }
    }

    private sealed class BarProgress(ProgressContext context) : IProgress<ExportProgress>
    {
        private ProgressTask? _task;
        private string? _phase;

        public void Report(ExportProgress value)
        {
            if (_task is null || value.Phase != _phase)
            {
                // A phase may end without a report.
                if (_task is not null) _task.Value = _task.MaxValue;
                _task = context.AddTask(Markup.Escape(value.Phase), maxValue: 1);
                _phase = value.Phase;
            }

            _task.Value = value.Fraction;
            _task.Description = Markup.Escape($"{value.Phase} ({Amount(value.BytesWritten)})");
        }
    }
}
