using MuseAtelier.Cpu;
using MuseAtelier.Cuda;
using MuseAtelier.Server.Checklist;

namespace MuseAtelier.Cli.Diagnosis;

/// <summary>The checklist of <c>muse atelier</c> for <c>muse doctor</c>, from what the doctor found.</summary>
internal static class DoctorChecklist
{
    private const string DefaultGallery = "pictures";

    /// <summary>Runs the checklist.</summary>
    /// <param name="card">The parts and cards.</param>
    /// <param name="host">The machine and the user's settings.</param>
    /// <param name="options">The options of an atelier; the backend is replaced by the one that <c>--device auto</c> means.</param>
    /// <param name="gallery">The named gallery; null means the default one.</param>
    public static IReadOnlyList<ChecklistLine> Run(CudaDiagnosis card, HostDiagnosis host, AtelierOptions options, string? gallery)
    {
        Backend backend = card.IsUsable ? CudaBackend.Create() : CpuBackend.Create();
        return FirstRunChecklist.Run(new ChecklistSubject
        {
            Model = host.ModelProblem is null ? host.Model : null,
            ModelProblem = host.ModelProblem,
            Atelier = options with { Backend = backend },
            Device = DeviceDiagnosis.Of(backend, card, host.OnnxRuntimeProblem),
            Gallery = gallery ?? (WorkingFolder.Path is { } here ? Path.Combine(here, DefaultGallery) : DefaultGallery),
        });
    }
}
