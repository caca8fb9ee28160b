namespace MuseAtelier.Cpu;

/// <summary>Runs an atelier on the processor.</summary>
public static class CpuBackend
{
    /// <summary>A backend for the processor.</summary>
    /// <param name="threads">Threads of the arithmetic; 0 means one for each core.</param>
    public static Backend Create(int threads = 0) => throw new NotImplementedException();
}
