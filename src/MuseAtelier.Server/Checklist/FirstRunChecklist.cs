using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Server.Checklist;

/// <summary>
/// Says whether a picture can be painted as promised: with fp16 on a card, within the memory budget, in half a minute. Opens no model and
/// takes no memory of a card. The page and <c>muse doctor</c> show the same lines.
/// </summary>
internal sealed class FirstRunChecklist
{
    /// <summary>The seconds within which a card should have painted the first picture.</summary>
    public const double LongestFirstPicture = 30;

    // Some five hundred pictures.
    private const long LeastDisk = 1L << 30;

    private static readonly PictureRequest Usual = new() { Prompt = "" };

    private static readonly string UsualInWords = Invariant($"{Usual.Width}x{Usual.Height} px");

    private readonly ChecklistSubject _subject;
    private readonly ModelSizes? _sizes;
    private readonly bool _isExported;
    private readonly MuseAtelierException? _modelFailure;
    private readonly ResidencyPlan? _plan;
    private readonly MuseAtelierException? _planFailure;

    private FirstRunChecklist(ChecklistSubject subject)
    {
        _subject = subject;
        if (subject.Model is not { } model) return;
        try
        {
            string? package = PackageCache.Find(model, subject.Atelier.PackageChoice);
            _isExported = package is not null;
            _sizes = ModelSizes.Read(package ?? model, subject.Atelier.Backend.Lowering, subject.Atelier.Precisions);
        }
        catch (MuseAtelierException exception)
        {
            _modelFailure = exception;
            return;
        }

        try
        {
            _plan = Atelier.Plan(model, subject.Atelier, Usual);
        }
        catch (MuseAtelierException exception)
        {
            _planFailure = exception;
        }
    }

    /// <summary>Checks everything. It takes some milliseconds.</summary>
    /// <param name="subject">What is checked.</param>
    public static IReadOnlyList<ChecklistLine> Run(ChecklistSubject subject)
    {
        var list = new FirstRunChecklist(subject);
        return [list.Model(), list.Precision(), list.Sanctum(), list.Device(), list.Speed(), list.Gallery()];
    }

    private ChecklistLine Model()
    {
        const string key = "model";
        if (_subject.Model is not { } model)
        {
            return ChecklistLine.Done(key, "model-none", Sentence(_subject.ModelProblem ?? "no model was named"))
                .Unless("name-model", "Name a checkpoint (.safetensors) with --model.");
        }

        if (_modelFailure is { } failure) return Failed(key, failure);
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(model));
        ChecklistLine line = _isExported
            ? ChecklistLine.Done(key, "model-ready", $"{name} is ready to be opened.")
            : ChecklistLine.Done(
                key, "model-new", $"{name} can be opened; it is exported into the cache once, before its first picture.");
        return line.With("name", name);
    }

    private ChecklistLine Precision()
    {
        const string key = "precision";
        if (_sizes is not { } sizes) return Unknown(key);
        Precisions used = sizes.Precisions;
        ChecklistLine line = ChecklistLine.Done(key, "precision", Sentence($"the model computes with {used}"))
            .With("precisions", used.ToString());
        bool isHalf = used.UNet.Arithmetic == MuseAtelier.Precision.Fp16 && used.Vae.Arithmetic == MuseAtelier.Precision.Fp16;
        if (isHalf && used.TextEncoders.Arithmetic == MuseAtelier.Precision.Fp32) return line;
        return _subject.Device.IsCard
            ? line.Unless(
                "export-checkpoint",
                "Name the checkpoint itself instead of a package, so that it is exported with UNet and VAE in fp16 and text encoders in "
                    + "fp32.")
            : line.Unless(
                "use-card",
                "Processors compute in fp32, which looks the same but takes twice the memory. For fp16, paint on an NVIDIA card.");
    }

    private ChecklistLine Sanctum()
    {
        const string key = "sanctum";
        bool isDeclared = _subject.Atelier.DeclaredBudget is not null;
        if (_plan is { } plan)
        {
            string origin = isDeclared ? "declared" : _subject.Device.IsCard ? "the default" : "the memory that is free now";
            string budget = $"the budget is {ByteSize.Format(plan.BudgetBytes)} ({origin})";
            string finding = Sentence($"{budget}, and a picture of {UsualInWords} takes {ByteSize.Format(plan.PeakBytes)}");
            return OfUsual(ChecklistLine.Done(key, "budget-enough", finding))
                .With("budget", plan.BudgetBytes)
                .With("needed", plan.PeakBytes)
                .With("origin", isDeclared ? "declared" : _subject.Device.IsCard ? "default" : "free");
        }

        if (_planFailure is not BudgetTooSmallException small) return _planFailure is { } other ? Failed(key, other) : Unknown(key);
        string option = _subject.Atelier.CountedMemory == MemoryKind.Host ? "--ram" : "--vram";
        ChecklistLine line = OfUsual(ChecklistLine.Done(
                key, "budget-too-small", Sentence($"{small.Found}, which is too little for a picture of {UsualInWords}")))
            .With("least", small.LeastBytes);
        string least = ByteSize.FormatUp(small.LeastBytes);
        return isDeclared
            ? line.Unless("declare-more", $"Give at least {least} with {option}, or paint smaller pictures.").With("option", option)
            : line.Unless("free-memory", $"Close other programs until {least} are free, or paint smaller pictures.");
    }

    private ChecklistLine Device()
    {
        const string key = "device";
        DeviceFinding device = _subject.Device;
        return device.Problem is { } problem
            ? ChecklistLine.Done(key, "device-unfit", Sentence(problem)).Unless("see-sentence", device.Remedy ?? "See 'muse doctor'.")
            : ChecklistLine.Done(key, "device", Sentence($"muse paints on {device.Device}")).With("device", device.Device);
    }

    private ChecklistLine Speed()
    {
        const string key = "speed";
        if (_plan is not { } plan) return Unknown(key);
        double seconds = plan.Estimate.Picture, shown = Math.Max(1, Math.Round(seconds));
        string picture = Invariant($"a picture of {UsualInWords} in {Usual.Steps} steps takes about {shown} s");
        if (!_subject.Device.IsCard)
        {
            string found = Sentence($"{picture}, as estimated from a processor of two cores");
            return OfUsual(ChecklistLine.Done(key, "speed-processor", found))
                .With("seconds", shown)
                .With("steps", Usual.Steps)
                .Unless(
                    "small-pictures",
                    Invariant($"Within {LongestFirstPicture} s needs an NVIDIA card. ")
                        + "On a processor, paint smaller pictures, in few steps.");
        }

        double? wait = _subject.SecondsToOpen is > 0 and var open ? Math.Ceiling(open) : null;
        string opening = wait is null ? "" : Invariant($", after about {wait} s for opening the model");
        ChecklistLine line = OfUsual(ChecklistLine.Done(
                key, "speed-card", Sentence($"{picture}{opening}, as estimated from an H100; other cards differ")))
            .With("seconds", shown)
            .With("steps", Usual.Steps)
            .With("secondsToOpen", wait);
        return seconds + (_subject.SecondsToOpen ?? 0) <= LongestFirstPicture
            ? line
            : line.Unless("more-memory", "Give more memory with --vram, so that fewer weights are streamed, or take fewer steps.");
    }

    private ChecklistLine Gallery()
    {
        const string key = "gallery";
        PlaceDiagnosis place = PlaceDiagnosis.Of(key, _subject.Gallery);
        if (place.Problem is { } problem)
        {
            string refusal = Sentence($"pictures cannot be kept in {place.Folder} ({problem})");
            return ChecklistLine.Done(key, "gallery-refused", refusal)
                .With("folder", place.Folder)
                .Unless("other-folder", "Name another folder with --gallery, or change this one.");
        }

        string free = place.FreeBytes is { } bytes ? $", and {ByteSize.Format(bytes)} are free" : "";
        bool isFull = place.FreeBytes < LeastDisk;
        ChecklistLine line = ChecklistLine
            .Done(key, isFull ? "gallery-full" : "gallery", Sentence($"pictures are kept in {place.Folder}{free}"))
            .With("folder", place.Folder)
            .With("free", place.FreeBytes);
        return isFull
            ? line.With("room", LeastDisk).Unless(
                "free-disk", $"Free some space: {ByteSize.Format(LeastDisk)} hold some five hundred pictures.")
            : line;
    }

    private static ChecklistLine OfUsual(ChecklistLine line) => line.With("width", Usual.Width).With("height", Usual.Height);

    private static ChecklistLine Failed(string key, MuseAtelierException failure) => ChecklistLine
        .Done(key, "failed", Sentence($"{failure.Found}; expected {failure.Expected}"))
        .Unless("see-sentence", failure.Remedy);

    private static ChecklistLine Unknown(string key) => ChecklistLine
        .Done(key, "unknown", "Nothing is known without a plan for the model.")
        .Unless("see-above", "See to the lines about the model and the memory first.");

    private static string Sentence(string text)
    {
        string trimmed = text.TrimEnd('.');
        // The program's name has a small letter everywhere.
        char first = trimmed.StartsWith("muse ", StringComparison.Ordinal) ? trimmed[0] : char.ToUpperInvariant(trimmed[0]);
        return $"{first}{trimmed[1..]}.";
    }
}
